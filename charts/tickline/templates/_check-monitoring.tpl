{{- define "tickline.problemsOf.monitoring" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if and $monitoring.podMonitor.enabled $monitoring.serviceMonitor.enabled }}
- monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled would scrape every pod twice: keep one
{{- end -}}
{{- $report := include "tickline.milliseconds" (default 0 .Values.config.drainReportMs) | int64 -}}
{{- range (list "podMonitor" "serviceMonitor") -}}
{{- $monitor := get $monitoring . -}}
{{- if $monitor.enabled -}}
{{- $interval := include "tickline.milliseconds" $monitor.interval | int64 -}}
{{- if gt (include "tickline.milliseconds" $monitor.scrapeTimeout | int64) $interval }}
- monitoring.{{ . }}.scrapeTimeout ({{ $monitor.scrapeTimeout }}) must not be above its interval ({{ $monitor.interval }}): the Prometheus operator would leave the monitor out
{{- end -}}
{{- if and $monitoring.prometheusRule.enabled $monitoring.prometheusRule.alerts.TicklineDrainTimeout.enabled (le $report $interval) }}
- config.drainReportMs ({{ $.Values.config.drainReportMs }}) must be above monitoring.{{ . }}.interval ({{ $monitor.interval }}), or TicklineDrainTimeout never sees what a pod lost: raise it, or disable that alert
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
