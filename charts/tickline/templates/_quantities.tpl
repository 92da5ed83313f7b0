{{/* Numbers with units, as whole numbers. Helm knows numbers of YAML as floats: none is printed without int64. */}}

{{/* Milliseconds of 20000 or "20s" (docs/configuration.md: ms, s, m, h, d). */}}
{{- define "tickline.milliseconds" -}}
{{- if kindIs "string" . -}}
{{- $unit := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{- mul (regexFind "^[0-9]+" . | int64) (get $unit (regexFind "[a-z]+$" .)) -}}
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{/* Bytes of 134217728 or "128MiB" (docs/configuration.md: B, KiB, MiB, GiB, TiB). */}}
{{- define "tickline.bytes" -}}
{{- if kindIs "string" . -}}
{{- $unit := dict "B" 1 "KiB" 1024 "MiB" 1048576 "GiB" 1073741824 "TiB" 1099511627776 -}}
{{- mul (regexFind "^[0-9]+" . | int64) (get $unit (regexFind "[A-Za-z]+$" .)) -}}
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{/* Bytes of a quantity of Kubernetes: 805306368, "768Mi", "1.5Gi", "1G". */}}
{{- define "tickline.memory" -}}
{{- if kindIs "string" . -}}
{{- $unit := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get $unit (regexFind "[A-Za-z]*$" .)) | int64 -}}
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{/* Bytes that the queues of all outputs may take: what the ingestor's start line tells as queueBytes. */}}
{{- define "tickline.queueBytes" -}}
{{- $bytes := 0 -}}
{{- range (list .kafka .redis.streams .redis.pubsub .grpc) -}}
{{- if .enabled }}{{ $bytes = add $bytes (include "tickline.bytes" .queueBytes | int64) }}{{ end -}}
{{- end -}}
{{- $bytes -}}
{{- end -}}

{{/* Least memory of an ingestor: 300 MiB (BASE_MEMORY_BYTES in commands/run.ts) and the queues: its memoryBoundBytes. */}}
{{- define "tickline.memoryBound" -}}
{{- add 314572800 (include "tickline.queueBytes" . | int64) -}}
{{- end -}}

{{/* NODE_OPTIONS of the ingestor: (list root resources). The heap is a part of what the queues leave of the memory limit. */}}
{{- define "tickline.nodeOptions" -}}
{{- $root := index . 0 -}}
{{- $limit := ((index . 1).limits).memory -}}
{{- $options := list -}}
{{- if $limit -}}
{{- $left := sub (include "tickline.memory" $limit | int64) (include "tickline.queueBytes" $root.Values.config | int64) -}}
{{- $options = append $options (printf "--max-old-space-size=%d" (divf (mulf $left $root.Values.heapFraction) 1048576 | int64)) -}}
{{- end -}}
{{- if $root.Values.nodeOptions }}{{ $options = append $options $root.Values.nodeOptions }}{{ end -}}
{{- join " " $options -}}
{{- end -}}

{{/* Seconds from SIGTERM to SIGKILL. */}}
{{- define "tickline.gracePeriod" -}}
{{- with .Values.workload -}}
{{- if kindIs "invalid" .terminationGracePeriodSeconds -}}
{{- add (include "tickline.drainSeconds" $ | int64) (int64 .drainMarginSeconds) -}}
{{- else -}}
{{- int64 .terminationGracePeriodSeconds -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Seconds that a pod may take by its configuration: to drain, and then to tell what it lost. */}}
{{- define "tickline.drainSeconds" -}}
{{- $budget := include "tickline.milliseconds" .Values.config.drainBudgetMs | int64 -}}
{{- $report := include "tickline.milliseconds" (default 0 .Values.config.drainReportMs) | int64 -}}
{{- div (add $budget $report 999) 1000 -}}
{{- end -}}
