{{/*
What selects the pods of a component: (list root "component"). Never a version: selectors can't change. toYaml puts quotes
where a name such as 2026 or null would else be a number, or nothing.
*/}}
{{- define "tickline.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "tickline.name" $root | toYaml }}
app.kubernetes.io/instance: {{ toYaml $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of a pod of a component: (list root "component"). Without the chart's version: a new chart alone restarts no pod. */}}
{{- define "tickline.podLabels" -}}
{{- $root := index . 0 -}}
{{- $labels := include "tickline.selector" . | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" (default $root.Chart.AppVersion $root.Values.image.tag | trunc 63 | trimAll "-_." ) -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "tickline" -}}
{{- toYaml (merge $labels $root.Values.commonLabels) -}}
{{- end -}}

{{/* Labels of an object of a component: (list root "component"). */}}
{{- define "tickline.labels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-" }}
{{ include "tickline.podLabels" . }}
{{- end -}}

{{/* metadata of an object: (list root "component" "name" annotations labels); the last two may be left out. */}}
{{- define "tickline.metadata" -}}
{{- $root := index . 0 -}}
name: {{ toYaml (index . 2) }}
namespace: {{ toYaml $root.Release.Namespace }}
labels:
  {{- $labels := include "tickline.labels" (list $root (index . 1)) | fromYaml }}
  {{- if gt (len .) 4 }}{{ $labels = merge $labels (index . 4) }}{{ end }}
  {{- toYaml $labels | nindent 2 }}
{{- $annotations := deepCopy $root.Values.commonAnnotations }}
{{- if gt (len .) 3 }}{{ $annotations = mergeOverwrite $annotations (index . 3) }}{{ end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
