{{- define "tickline.problemsOf.pods" -}}
{{- $fullname := include "tickline.fullname" . -}}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" $fullname) }}
- the names of objects would begin with {{ $fullname }}, which no Service may (a small letter first, then small letters, digits and dashes): set fullnameOverride, or name the release otherwise
{{- end -}}
{{- $drain := include "tickline.drainSeconds" . | int64 -}}
{{- if lt (include "tickline.gracePeriod" . | int64) (add $drain 5) }}
- workload.terminationGracePeriodSeconds ({{ include "tickline.gracePeriod" . }}) must be at least 5 above config.drainBudgetMs and config.drainReportMs together ({{ $drain }} s): a pod that is killed while it drains loses what is not acknowledged
{{- end -}}
{{- include "tickline.problemOfMemory" (list . "resources" .Values.resources) -}}
{{- range $index, $override := .Values.shards.overrides -}}
{{- if $override.resources -}}
{{- include "tickline.problemOfMemory" (list $ (printf "shards.overrides.%s.resources" $index) (mergeOverwrite (deepCopy ($.Values.resources | default dict)) $override.resources)) -}}
{{- end -}}
{{- end -}}
{{- with .Values.workload.strategy -}}
{{- if and (has (toString .maxSurge) (list "0" "0%")) (has (toString .maxUnavailable) (list "0" "0%")) }}
- workload.strategy.maxSurge and maxUnavailable are both 0: no pod could ever be replaced
{{- end -}}
{{- end -}}
{{- if and .Values.nodeOptions (contains "max-old-space-size" .Values.nodeOptions) }}
- nodeOptions sets --max-old-space-size, which follows resources.limits.memory and heapFraction: change those
{{- end -}}
{{- end -}}

{{/* A problem when the queues do not fit the memory limit: (list root "setting" resources). */}}
{{- define "tickline.problemOfMemory" -}}
{{- $limit := ((index . 2).limits).memory -}}
{{- $bound := include "tickline.memoryBound" (index . 0).Values.config | int64 -}}
{{- if and $limit (lt (include "tickline.memory" $limit | int64) $bound) }}
- {{ index . 1 }}.limits.memory ({{ $limit }}) is below {{ divf $bound 1048576 | ceil | int }}Mi, which the configuration may need: 300Mi, and the queueBytes of every output that is on
{{- end -}}
{{- end -}}
