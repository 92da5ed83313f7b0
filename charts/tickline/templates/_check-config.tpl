{{- define "tickline.problemsOf.config" -}}
{{- $config := .Values.config -}}
{{- $exchanges := 0 -}}
{{- range $name, $exchange := $config.exchanges -}}
{{- if not (kindIs "invalid" $exchange) -}}
{{- $exchanges = add $exchanges 1 -}}
{{- if not (or $exchange.symbols $exchange.symbolsFile) }}
- config.exchanges.{{ $name }}.symbols is empty: name symbols (BTC-USDT), or "*" for all, or give symbolsFile
{{- end -}}
{{- range $kind, $endpoint := $exchange.endpoints -}}
{{- if $endpoint }}{{ include "tickline.problemOfAddress" (list $ (printf "config.exchanges.%s.endpoints.%s" $name $kind) $endpoint) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $exchanges }}
- config.exchanges names no exchange: give at least one, such as config.exchanges.binance.symbols
{{- end -}}
{{- if not (or $config.kafka.enabled $config.redis.streams.enabled $config.redis.pubsub.enabled $config.grpc.enabled) }}
- config.kafka.enabled is false and no other output is on: set config.redis.streams.enabled, config.redis.pubsub.enabled or config.grpc.enabled
{{- end -}}
{{- $ports := dict -}}
{{- range (list (list "config.status.port" $config.status.port true) (list "config.metrics.port" $config.metrics.port true) (list "sidecar.port" .Values.sidecar.port true) (list "config.grpc.port" $config.grpc.port $config.grpc.enabled)) -}}
{{- if index . 2 -}}
{{- $port := toString (int (index . 1)) -}}
{{- if hasKey $ports $port }}
- {{ index . 0 }} is {{ $port }}, as {{ get $ports $port }} is: they are two servers of one pod
{{- end -}}
{{- $_ := set $ports $port (index . 0) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tickline.problemsOf.kafka" -}}
{{- $kafka := .Values.config.kafka -}}
{{- $registry := .Values.config.registry | default dict -}}
{{- $topics := .Values.config.topics | default dict -}}
{{- $secrets := .Values.secrets -}}
{{- $redis := .Values.config.redis -}}
{{- if and $kafka.enabled (not $kafka.brokers) }}
- config.kafka.brokers is empty: name at least one host:port, or set config.kafka.enabled to false
{{- end -}}
{{- $avro := or $kafka.enabled (and $redis.streams.enabled (eq (toString $redis.streams.format) "avro")) (and $redis.pubsub.enabled (eq (toString $redis.pubsub.format) "avro")) -}}
{{- if and $avro (not $registry.url) }}
- config.registry.url is not set: Avro needs the schema registry's address, such as https://schema-registry:8081
{{- end -}}
{{- with $registry.url }}{{ include "tickline.problemOfAddress" (list $ "config.registry.url" .) }}{{ end -}}
{{- $hasPassword := or $secrets.registry.password.name $registry.passwordFile -}}
{{- $hasName := or $secrets.registry.username.name $registry.username $registry.usernameFile -}}
{{- if and $hasName (not $hasPassword) }}
- secrets.registry.password is not set, but a user name for the registry is: name the Secret with the password
{{- end -}}
{{- if and $hasPassword (not $hasName) }}
- config.registry.username is not set (nor secrets.registry.username), but a password for the registry is
{{- end -}}
{{- $ssl := $kafka.ssl | default dict -}}
{{- $sasl := $kafka.sasl | default dict -}}
{{- $hasCert := or $secrets.kafka.cert.name $ssl.certFile -}}
{{- $hasKey := or $secrets.kafka.key.name $ssl.keyFile -}}
{{- if and (or $hasCert $hasKey) (not (and $hasCert $hasKey)) }}
- secrets.kafka.{{ ternary "key" "cert" (not $hasKey) }} is not set: a certificate and its key go together
{{- end -}}
{{- if and (or $secrets.kafka.keyPassphrase.name $ssl.keyPassphraseFile) (not $hasKey) }}
- secrets.kafka.keyPassphrase needs secrets.kafka.key: it is the passphrase of that key
{{- end -}}
{{- if and (or $hasCert $hasKey $secrets.kafka.ca.name $ssl.caFile) (not $ssl.enabled) }}
- config.kafka.ssl.enabled is not true, but certificates for Kafka are given: set it
{{- end -}}
{{- $hasUser := or $secrets.kafka.username.name $sasl.username $sasl.usernameFile -}}
{{- $hasSecret := or $secrets.kafka.password.name $sasl.passwordFile -}}
{{- if $sasl.mechanism -}}
{{- if not $hasUser }}
- config.kafka.sasl.username is not set (nor secrets.kafka.username): {{ $sasl.mechanism }} needs it
{{- end -}}
{{- if not $hasSecret }}
- secrets.kafka.password is not set: {{ $sasl.mechanism }} needs it
{{- end -}}
{{- if and (eq $sasl.mechanism "plain") (not $ssl.enabled) -}}
{{- range $kafka.brokers -}}
{{- $host := regexReplaceAll ":[0-9]+$" . "" -}}
{{- if not (include "tickline.mayBePlain" (list $ $host)) }}
- config.kafka.sasl.mechanism plain would send the password to {{ $host }} unencrypted: set config.kafka.ssl.enabled, use scram-sha-512, or name the host in config.plaintextHosts
{{- end -}}
{{- end -}}
{{- end -}}
{{- else if or $hasUser $hasSecret }}
- config.kafka.sasl.mechanism is not set, but a user name or password for Kafka is: name how to log in, such as scram-sha-512
{{- end -}}
{{- $batch := $kafka.batchBytes | default 524288 -}}
{{- $most := $topics.maxMessageBytes | default 1048576 -}}
{{- if gt (include "tickline.bytes" $batch | int64) (include "tickline.bytes" $most | int64) }}
- config.kafka.batchBytes must not be above config.topics.maxMessageBytes ({{ include "tickline.bytes" $most }} bytes): no topic would take such a batch
{{- end -}}
{{- if and $topics.replication $topics.minInsyncReplicas (gt (int $topics.minInsyncReplicas) (int $topics.replication)) }}
- config.topics.minInsyncReplicas must not be above config.topics.replication ({{ int $topics.replication }}): nothing would ever be acknowledged
{{- end -}}
{{- end -}}

{{- define "tickline.problemsOf.redis" -}}
{{- $redis := .Values.config.redis -}}
{{- $secrets := .Values.secrets.redis -}}
{{- $tls := $redis.tls | default dict -}}
{{- $sentinel := $redis.sentinel | default dict -}}
{{- $mode := $redis.mode | default "single" -}}
{{- range (list "streams" "pubsub") -}}
{{- if not (get $redis .).enabled -}}
{{- include "tickline.problemOfUnused" (list (printf "config.redis.%s" .) (get $redis .) (printf "config.redis.%s.enabled is false: set that to true, or remove it" .) "enabled" "queueBytes") -}}
{{- end -}}
{{- end -}}
{{- if not (or $redis.streams.enabled $redis.pubsub.enabled) -}}
{{- include "tickline.problemOfUnused" (list "config.redis" $redis "neither config.redis.streams.enabled nor config.redis.pubsub.enabled is: set one, or remove it" "streams" "pubsub") -}}
{{- range $name, $reference := $secrets -}}
{{- if $reference.name }}
- secrets.redis.{{ $name }} is set, but neither config.redis.streams.enabled nor config.redis.pubsub.enabled is: set one, or remove it
{{- end -}}
{{- end -}}
{{- else -}}
{{- if not $redis.addresses }}
- config.redis.addresses is empty: name at least one host:port
{{- end -}}
{{- if and (eq $mode "single") (gt (len ($redis.addresses | default list)) 1) }}
- config.redis.addresses names several servers: set config.redis.mode to sentinel or cluster, or name one
{{- end -}}
{{- if and (eq $mode "sentinel") (not $sentinel.master) }}
- config.redis.sentinel.master is not set: sentinels are asked for a master by its name
{{- end -}}
{{- if and (ne $mode "sentinel") (or $sentinel $secrets.sentinelPassword.name) }}
- config.redis.sentinel (or secrets.redis.sentinelPassword) is set, but config.redis.mode is {{ $mode }}: set that to sentinel
{{- end -}}
{{- if and (eq $mode "cluster") $redis.database }}
- config.redis.database must be 0 in a Cluster, is {{ int $redis.database }}
{{- end -}}
{{- $hasCert := or $secrets.cert.name $tls.certFile -}}
{{- $hasKey := or $secrets.key.name $tls.keyFile -}}
{{- if and (or $hasCert $hasKey) (not (and $hasCert $hasKey)) }}
- secrets.redis.{{ ternary "key" "cert" (not $hasKey) }} is not set: a certificate and its key go together
{{- end -}}
{{- if and (or $hasCert $hasKey $secrets.ca.name $tls.caFile) (not $tls.enabled) }}
- config.redis.tls.enabled is not true, but certificates for Redis are given: set it
{{- end -}}
{{- $hasPassword := or $secrets.password.name $redis.passwordFile -}}
{{- if and $redis.username (not $hasPassword) }}
- secrets.redis.password is not set, but config.redis.username is
{{- end -}}
{{- if and (or $hasPassword $secrets.sentinelPassword.name $sentinel.passwordFile) (not $tls.enabled) -}}
{{- range $redis.addresses -}}
{{- $host := regexReplaceAll ":[0-9]+$" . "" -}}
{{- if not (include "tickline.mayBePlain" (list $ $host)) }}
- secrets.redis.password would go to {{ $host }} unencrypted: set config.redis.tls.enabled, or name the host in config.plaintextHosts if the network is yours
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tickline.problemsOf.grpc" -}}
{{- $grpc := .Values.config.grpc -}}
{{- $secrets := .Values.secrets.grpc -}}
{{- $tls := $grpc.tls | default dict -}}
{{- if not $grpc.enabled -}}
{{- include "tickline.problemOfUnused" (list "config.grpc" $grpc "config.grpc.enabled is false: set that to true, or remove it" "enabled" "port" "queueBytes") -}}
{{- range $name, $reference := $secrets -}}
{{- if $reference.name }}
- secrets.grpc.{{ $name }} is set, but config.grpc.enabled is false: set that to true, or remove it
{{- end -}}
{{- end -}}
{{- else -}}
{{- $hasCert := or $secrets.cert.name $tls.certFile -}}
{{- $hasKey := or $secrets.key.name $tls.keyFile -}}
{{- if $tls.enabled -}}
{{- if not (and $hasCert $hasKey) }}
- config.grpc.tls.enabled needs secrets.grpc.cert and secrets.grpc.key: TLS needs a certificate and its key
{{- end -}}
{{- else -}}
{{- if or $hasCert $hasKey $secrets.clientCa.name $tls.clientCaFile }}
- config.grpc.tls.enabled is not true, but certificates for gRPC are given: set it
{{- end -}}
{{- if and (or $secrets.token.name $grpc.tokenFile) (not (include "tickline.mayBePlain" (list . .Values.listenAddress))) }}
- secrets.grpc.token: tokens would come unencrypted: set config.grpc.tls.enabled, or name {{ .Values.listenAddress | quote }} in config.plaintextHosts if the network is yours
{{- end -}}
{{- end -}}
{{- if gt (include "tickline.bytes" ($grpc.clientQueueBytes | default 16777216) | int64) (include "tickline.bytes" $grpc.queueBytes | int64) }}
- config.grpc.queueBytes must not be below config.grpc.clientQueueBytes ({{ include "tickline.bytes" ($grpc.clientQueueBytes | default 16777216) }} bytes)
{{- end -}}
{{- with $grpc.peerAddress -}}
{{- $named := len (splitList "," .) -}}
{{- if and (not (contains "{shard}" .)) (lt $named (int $.Values.shards.count)) }}
- config.grpc.peerAddress names {{ $named }} of {{ int $.Values.shards.count }} shards: name them all, or use {shard}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
