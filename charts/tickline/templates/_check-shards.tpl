{{- define "tickline.problemsOf.shards" -}}
{{- $shards := .Values.shards -}}
{{- $count := int $shards.count -}}
{{- include "tickline.problemsOfPlacement" (dict "pins" $shards.pins "exclusive" $shards.exclusive "count" $count "countName" "shards.count" "pinsName" "shards.pins" "exclusiveName" "shards.exclusive") -}}
{{- $hasFormer := not (and (kindIs "invalid" $shards.previousPins) (kindIs "invalid" $shards.previousExclusive)) -}}
{{- if kindIs "invalid" $shards.previousCount -}}
{{- if $hasFormer }}
- shards.previousPins and shards.previousExclusive need shards.previousCount: set that to shards.count if only the pins change
{{- end -}}
{{- else -}}
{{- if $hasFormer -}}
{{- include "tickline.problemsOfPlacement" (dict "pins" $shards.previousPins "exclusive" $shards.previousExclusive "count" (int $shards.previousCount) "countName" "shards.previousCount" "pinsName" "shards.previousPins" "exclusiveName" "shards.previousExclusive") -}}
{{- else if eq (int $shards.previousCount) $count }}
- shards.previousCount is {{ $count }}, as shards.count is, and nothing else changes: remove it, or give shards.previousPins or shards.previousExclusive
{{- end -}}
{{- end -}}
{{- include "tickline.problemOfOneStep" . -}}
{{- $pods := include "tickline.podCount" . | int -}}
{{- range $index, $override := $shards.overrides -}}
{{- if ge (int $index) $pods }}
- shards.overrides names shard {{ $index }}, but there are {{ $pods }}: shards are 0 to {{ sub $pods 1 }}
{{- end -}}
{{- end -}}
{{- if and $shards.overrides (eq .Values.workload.kind "StatefulSet") }}
- shards.overrides needs workload.kind Deployment: the pods of a StatefulSet are all alike
{{- end -}}
{{- end -}}

{{/*
A problem when an upgrade changes the count of what is installed without the step between. Nothing is known of what is
installed where helm renders without a cluster (helm template, Argo CD): lookup is empty there.
*/}}
{{- define "tickline.problemOfOneStep" -}}
{{- $shards := .Values.shards -}}
{{- $installed := ((lookup "v1" "ConfigMap" .Release.Namespace (include "tickline.fullname" .)).data | default dict) -}}
{{- with (get $installed "20-chart.yaml" | fromYaml).shard -}}
{{- $safe := list (int .count) (int (default 0 .previousCount)) -}}
{{- if not (or (has (int $shards.count) $safe) (eq (int (default 0 $shards.previousCount)) (int .count))) }}
- shards.count would go from {{ int .count }} to {{ int $shards.count }} in one step, and units that move would have no reader meanwhile: upgrade with shards.previousCount {{ int .count }} first, and without it when all pods are ready
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Problems of pins and exclusive shards (the rules of the ingestor's config/rules.ts). */}}
{{- define "tickline.problemsOfPlacement" -}}
{{- $given := . -}}
{{- $count := .count -}}
{{- $taken := dict -}}
{{- $alone := dict -}}
{{- range $at, $each := .exclusive -}}
{{- $shard := int .shard -}}
{{- if ge $shard $count }}
- {{ $given.exclusiveName }}[{{ $at }}] names shard {{ $shard }}, but {{ $given.countName }} is {{ $count }}: shards are 0 to {{ sub $count 1 }}
{{- end -}}
{{- if hasKey $alone (toString $shard) }}
- {{ $given.exclusiveName }}[{{ $at }}] names shard {{ $shard }} a second time: join the two
{{- end -}}
{{- $_ := set $alone (toString $shard) true -}}
{{- range .units -}}
{{- if hasKey $taken . }}
- {{ $given.exclusiveName }}[{{ $at }}] names {{ . }} a second time ({{ get $taken . }} has it): keep one
{{- end -}}
{{- $_ := set $taken . (printf "%s[%d]" $given.exclusiveName $at) -}}
{{- end -}}
{{- end -}}
{{- if ge (len $alone) $count }}
- {{ .exclusiveName }} leaves no shard for all other units: {{ .countName }} is {{ $count }}
{{- end -}}
{{- range $at, $pin := .pins -}}
{{- $shard := int .shard -}}
{{- if ge $shard $count }}
- {{ $given.pinsName }}[{{ $at }}] pins {{ .unit }} to shard {{ $shard }}, but {{ $given.countName }} is {{ $count }}: shards are 0 to {{ sub $count 1 }}
{{- end -}}
{{- if hasKey $alone (toString $shard) }}
- {{ $given.pinsName }}[{{ $at }}] pins {{ .unit }} to shard {{ $shard }}, which is exclusive: name the unit in {{ $given.exclusiveName }} instead
{{- end -}}
{{- if hasKey $taken .unit }}
- {{ $given.pinsName }}[{{ $at }}] names {{ .unit }} a second time ({{ get $taken .unit }} has it): keep one
{{- end -}}
{{- $_ := set $taken .unit (printf "%s[%d]" $given.pinsName $at) -}}
{{- end -}}
{{- end -}}
