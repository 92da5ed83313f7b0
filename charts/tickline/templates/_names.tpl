{{/* The chart's name in labels. */}}
{{- define "tickline.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
How the names of all objects begin: short enough for "-dashboard-exchange" and what controllers append. Names that are
cut keep a hash, so that two releases whose names differ at the end only have objects of their own.
*/}}
{{- define "tickline.fullname" -}}
{{- $name := include "tickline.name" . -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- if gt (len $full) 44 -}}
{{- printf "%s-%s" ($full | trunc 37 | trimSuffix "-") (sha256sum $full | trunc 6) -}}
{{- else -}}
{{- $full | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The full DNS name of a Service of the release: (list root "name"). */}}
{{- define "tickline.serviceHost" -}}
{{- $root := index . 0 -}}
{{- printf "%s.%s.svc.%s" (index . 1) $root.Release.Namespace $root.Values.clusterDomain -}}
{{- end -}}

{{- define "tickline.podsService" -}}{{ include "tickline.fullname" . }}-pods{{- end -}}
{{- define "tickline.provisionName" -}}{{ include "tickline.fullname" . }}-provision{{- end -}}

{{- define "tickline.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tickline.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The image: by digest when there is one. */}}
{{- define "tickline.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}
