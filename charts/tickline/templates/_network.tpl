{{/* The port of an address, of host:port or of a URL; a URL without one has its scheme's. */}}
{{- define "tickline.portOf" -}}
{{- $port := . | trimSuffix "/" | regexFind ":[0-9]+(/|$)" | trimPrefix ":" | trimSuffix "/" -}}
{{- if $port -}}
{{- $port -}}
{{- else if or (hasPrefix "https:" .) (hasPrefix "wss:" .) -}}
443
{{- else -}}
80
{{- end -}}
{{- end -}}

{{/* Ports of a rule, each once, in order: (list ports…) of numbers or text. */}}
{{- define "tickline.tcpPorts" -}}
{{- $ports := list -}}
{{- range . }}{{ $ports = append $ports (printf "%05d" (int .)) }}{{ end -}}
{{- range ($ports | uniq | sortAlpha) }}
- protocol: TCP
  port: {{ . | trimPrefix "0" | trimPrefix "0" | trimPrefix "0" | trimPrefix "0" }}
{{- end }}
{{- end -}}

{{/* A rule of egress: (list peers ports). No peers: anywhere. */}}
{{- define "tickline.egressRule" -}}
- ports:
    {{- include "tickline.tcpPorts" (index . 1) | trim | nindent 4 }}
  {{- with index . 0 }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "tickline.egressDns" -}}
- ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
  {{- with .Values.networkPolicy.egress.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Brokers and schema registry. */}}
{{- define "tickline.egressKafka" -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- with .Values.config.kafka -}}
{{- if .enabled -}}
{{- $ports := list -}}
{{- range .brokers }}{{ $ports = append $ports (include "tickline.portOf" .) }}{{ end -}}
{{ include "tickline.egressRule" (list $egress.kafkaTo (concat $ports $egress.kafkaPorts)) }}
{{- end -}}
{{- end }}
{{- with (.Values.config.registry).url }}
{{ include "tickline.egressRule" (list $egress.registryTo (list (include "tickline.portOf" .))) }}
{{- end }}
{{- end -}}

{{- define "tickline.egressRedis" -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- with .Values.config.redis -}}
{{- if or .streams.enabled .pubsub.enabled -}}
{{- $ports := $egress.redisPorts -}}
{{- range .addresses }}{{ $ports = append $ports (include "tickline.portOf" .) }}{{ end -}}
{{- if eq .mode "sentinel" }}{{ $ports = append $ports 6379 }}{{ end -}}
{{- include "tickline.egressRule" (list $egress.redisTo $ports) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The exchanges: public addresses, on the ports of the endpoints. 443, 8443 and 9443 are those of the exchanges' own. */}}
{{- define "tickline.egressExchanges" -}}
{{- $ports := list 443 8443 9443 -}}
{{- range $name, $exchange := .Values.config.exchanges -}}
{{- range $endpoint := ($exchange | default dict).endpoints -}}
{{- if $endpoint }}{{ $ports = append $ports (include "tickline.portOf" $endpoint) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $public := list
  (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" (list "0.0.0.0/8" "10.0.0.0/8" "100.64.0.0/10" "127.0.0.0/8" "169.254.0.0/16" "172.16.0.0/12" "192.168.0.0/16" "224.0.0.0/3")))
  (dict "ipBlock" (dict "cidr" "2000::/3")) -}}
{{- include "tickline.egressRule" (list (.Values.networkPolicy.egress.exchangesTo | default $public) $ports) -}}
{{- end -}}
