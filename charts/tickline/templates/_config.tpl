{{/* How many pods run: the old and the new shards while the count changes. */}}
{{- define "tickline.podCount" -}}
{{- max (int .Values.shards.count) (int (default 0 .Values.shards.previousCount)) -}}
{{- end -}}

{{/* Where references to Secrets go: the setting that names the file. */}}
{{- define "tickline.secretSettings" -}}
kafka.username: kafka.sasl.usernameFile
kafka.password: kafka.sasl.passwordFile
kafka.ca: kafka.ssl.caFile
kafka.cert: kafka.ssl.certFile
kafka.key: kafka.ssl.keyFile
kafka.keyPassphrase: kafka.ssl.keyPassphraseFile
registry.username: registry.usernameFile
registry.password: registry.passwordFile
registry.ca: registry.caFile
redis.password: redis.passwordFile
redis.sentinelPassword: redis.sentinel.passwordFile
redis.ca: redis.tls.caFile
redis.cert: redis.tls.certFile
redis.key: redis.tls.keyFile
grpc.token: grpc.tokenFile
grpc.cert: grpc.tls.certFile
grpc.key: grpc.tls.keyFile
grpc.clientCa: grpc.tls.clientCaFile
{{- end -}}

{{/* The ingestor's references that are set, from a dict such as .Values.secrets: {references: [{at, file, setting, name, key}]}. */}}
{{- define "tickline.secretReferences" -}}
{{- $secrets := . -}}
{{- $references := list -}}
{{- range $at, $setting := include "tickline.secretSettings" . | fromYaml -}}
{{- $names := splitList "." $at -}}
{{- $reference := get (get $secrets (index $names 0) | default dict) (index $names 1) | default dict -}}
{{- if $reference.name -}}
{{- $references = append $references (dict "at" $at "file" (replace "." "-" $at) "setting" $setting "name" $reference.name "key" $reference.key) -}}
{{- end -}}
{{- end -}}
{{- toYaml (dict "references" $references) -}}
{{- end -}}

{{/* The value at a dotted path of nested dicts, "" where there is none: (list dict "a.b"), as JSON. */}}
{{- define "tickline.at" -}}
{{- $value := index . 0 -}}
{{- range splitList "." (index . 1) -}}
{{- $value = ternary (get (ternary $value dict (kindIs "map" $value)) .) "" (kindIs "map" $value) -}}
{{- end -}}
{{- toJson $value -}}
{{- end -}}

{{/* The settings that name the files of secrets, from a dict such as .Values.secrets. */}}
{{- define "tickline.secretFileSettings" -}}
{{- $settings := dict -}}
{{- range (include "tickline.secretReferences" . | fromYaml).references -}}
{{- $nested := printf "/etc/tickline/secrets/%s" .file -}}
{{- range reverse (splitList "." .setting) }}{{ $nested = dict . $nested }}{{ end -}}
{{- $settings = mergeOverwrite $settings $nested -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* The settings that the chart makes: shards, addresses to listen on, files of secrets. */}}
{{- define "tickline.chartSettings" -}}
{{- $shards := .Values.shards -}}
{{- $shard := dict "count" (int $shards.count) -}}
{{- with $shards.previousCount }}{{ $_ := set $shard "previousCount" (int .) }}{{ end -}}
{{- range (list "pins" "exclusive" "previousPins" "previousExclusive") -}}
{{- $value := get $shards . -}}
{{- if kindIs "slice" $value -}}
{{- if or $value (hasPrefix "previous" .) }}{{ $_ := set $shard . $value }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $settings := dict "shard" $shard "status" (dict "host" "127.0.0.1") "metrics" (dict "host" .Values.listenAddress) -}}
{{- if .Values.config.grpc.enabled -}}
{{- $grpc := dict "host" .Values.listenAddress -}}
{{- if and .Values.service.grpc.perShard (not .Values.config.grpc.peerAddress) -}}
{{- $host := include "tickline.serviceHost" (list . (printf "%s-shard-{shard}" (include "tickline.fullname" .))) -}}
{{- $_ := set $grpc "peerAddress" (printf "%s:%d" $host (int .Values.config.grpc.port)) -}}
{{- end -}}
{{- $_ := set $settings "grpc" $grpc -}}
{{- end -}}
{{- toYaml (mergeOverwrite $settings (include "tickline.secretFileSettings" .Values.secrets | fromYaml)) -}}
{{- end -}}

{{/* The configuration as the values have it; an empty list of brokers, the values' default, says nothing. */}}
{{- define "tickline.givenSettings" -}}
{{- $config := deepCopy .Values.config -}}
{{- if not $config.kafka.brokers }}{{ $_ := unset $config.kafka "brokers" }}{{ end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Data of the ingestor's ConfigMap. Later files win. */}}
{{- define "tickline.configData" -}}
10-values.yaml: |
  # config of the values.
  {{- include "tickline.givenSettings" . | nindent 2 }}
20-chart.yaml: |
  # What the chart sets: shards, addresses to listen on, files of secrets.
  {{- include "tickline.chartSettings" . | nindent 2 }}
{{- range $name, $text := .Values.configFiles }}
{{ $name }}: {{ toJson $text }}
{{- end }}
{{- end -}}

{{/*
What the Job of provision goes by, as a root that templates about Kafka and the registry can be given: config with
provision.config over it, secrets with provision.secrets over them.
*/}}
{{- define "tickline.provisionRoot" -}}
{{- $config := mergeOverwrite (deepCopy .Values.config) .Values.provision.config -}}
{{- $secrets := mergeOverwrite (deepCopy (pick .Values.secrets "kafka" "registry")) .Values.provision.secrets -}}
{{- toYaml (dict "Values" (dict "config" $config "secrets" $secrets "networkPolicy" .Values.networkPolicy)) -}}
{{- end -}}

{{/* Data of the ConfigMap of provision: what is about Kafka and the registry. (list root secrets) */}}
{{- define "tickline.provisionData" -}}
{{- $root := index . 0 -}}
10-values.yaml: |
  # config of the values, as far as it is about Kafka and the registry.
  {{- pick $root.Values.config "kafka" "topics" "registry" "plaintextHosts" | toYaml | nindent 2 }}
20-chart.yaml: |
  # What the chart sets: files of secrets.
  {{- include "tickline.secretFileSettings" (index . 1) | nindent 2 }}
{{- with $root.Values.provision.config }}
30-provision.yaml: |
  # provision.config of the values.
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A volume with the files of Secrets: (list "volume's name" references). Readable by the pod's group alone. */}}
{{- define "tickline.secretVolume" -}}
name: {{ index . 0 }}
projected:
  defaultMode: 288 # 0440
  sources:
    {{- range index . 1 }}
    - secret:
        name: {{ toYaml .name }}
        items:
          - key: {{ .key | quote }}
            path: {{ .file }}
    {{- end }}
{{- end -}}
