{{- define "tickline.problemsOf.provision" -}}
{{- if and .Values.provision.enabled .Values.config.kafka.enabled -}}
{{- include "tickline.problemOfUnused" (list "provision.config" .Values.provision.config "the Job reads kafka, topics, registry and plaintextHosts alone: remove it" "kafka" "topics" "registry" "plaintextHosts") -}}
{{- if .Values.provision.config -}}
{{- $known := include "tickline.problemsOf.kafka" . | splitList "\n" -}}
{{- range include "tickline.problemsOf.kafka" (include "tickline.provisionRoot" . | fromYaml) | splitList "\n" -}}
{{- if and (trim .) (not (has . $known)) }}
- with provision.config: {{ trimPrefix "- " . }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
