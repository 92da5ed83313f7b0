{{/* Refuses values that contradict each other, all at once and before anything is installed. A problem is a line of text. */}}
{{- define "tickline.check" -}}
{{- $problems := list -}}
{{- range (list "shards" "config" "secrets" "kafka" "provision" "redis" "grpc" "pods" "monitoring") -}}
{{- $found := include (printf "tickline.problemsOf.%s" .) $ | trim -}}
{{- if $found }}{{ $problems = append $problems (regexReplaceAll "\\n\\s*" $found "\n") }}{{ end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "these values can't be installed:\n%s\n" (join "\n" $problems)) -}}
{{- end -}}
{{- end -}}

{{/* "yes" when a host may be reached unencrypted: this machine itself, or one of config.plaintextHosts. (list root host) */}}
{{- define "tickline.mayBePlain" -}}
{{- $host := index . 1 | trimPrefix "[" | trimSuffix "]" -}}
{{- $plain := (index . 0).Values.config.plaintextHosts | default list -}}
{{- if or (has (index . 1) $plain) (eq (lower $host) "localhost") (eq $host "::1") (regexMatch "^127(\\.[0-9]{1,3}){3}$" $host) -}}
yes
{{- end -}}
{{- end -}}

{{/* A problem when an address is not encrypted: (list root "setting" "http://…"). */}}
{{- define "tickline.problemOfAddress" -}}
{{- $url := index . 2 -}}
{{- if regexMatch "^(http|ws)://" $url -}}
{{- $host := (urlParse $url).hostname -}}
{{- if not (include "tickline.mayBePlain" (list (index . 0) $host)) }}
- {{ index . 1 }} ({{ $url }}) is not encrypted and {{ $host }} is another machine: use {{ ternary "https" "wss" (hasPrefix "http" $url) }}://, or name the host in config.plaintextHosts if the network is yours
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Problems of settings that have no effect: (list "section" settings "what to switch on" known…). */}}
{{- define "tickline.problemOfUnused" -}}
{{- $section := index . 0 -}}
{{- $what := index . 2 -}}
{{- $known := slice . 3 -}}
{{- range $name, $value := index . 1 -}}
{{- if and (not (has $name $known)) (not (kindIs "invalid" $value)) }}
- {{ $section }}.{{ $name }} is set, but {{ $what }}
{{- end -}}
{{- end -}}
{{- end -}}
