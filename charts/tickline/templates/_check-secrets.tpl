{{- define "tickline.problemsOf.secrets" -}}
{{- include "tickline.problemsOfReferences" (list "secrets" .Values.secrets .Values.config) -}}
{{- if or .Values.provision.secrets .Values.provision.config -}}
{{- with (include "tickline.provisionRoot" . | fromYaml).Values -}}
{{- include "tickline.problemsOfReferences" (list "provision.secrets" .secrets .config) -}}
{{- end -}}
{{- end -}}
{{- range $from, $env := dict "extraEnv" .Values.extraEnv "sidecar.extraEnv" .Values.sidecar.extraEnv "provision.extraEnv" .Values.provision.extraEnv -}}
{{- range $env -}}
{{- if and .value (regexMatch "(PASSWORD|TOKEN)$" .name) }}
- {{ $from }} holds {{ .name }} as it is, and values are no place for a secret: name a Secret in secrets, or use valueFrom
{{- end -}}
{{- if or (has .name (list "TICKLINE_CONFIG" "NODE_OPTIONS")) (hasPrefix "TICKLINE_SHARD_" .name) }}
- {{ $from }} sets {{ .name }}, which the chart sets: use config, shards, or nodeOptions
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Problems of references to Secrets: (list "secrets" secrets config). */}}
{{- define "tickline.problemsOfReferences" -}}
{{- $at := index . 0 -}}
{{- $config := index . 2 -}}
{{- range $section, $references := index . 1 -}}
{{- range $name, $reference := $references -}}
{{- if and .name (not .key) }}
- {{ $at }}.{{ $section }}.{{ $name }} names the Secret {{ .name }} without a key: say which, such as {{ get (dict "password" "password" "ca" "ca.crt" "cert" "user.crt" "key" "user.key") $name | default $name }}
{{- end -}}
{{- if and .key (not .name) }}
- {{ $at }}.{{ $section }}.{{ $name }} has the key {{ .key }}, but no Secret: give its name
{{- end -}}
{{- end -}}
{{- end -}}
{{- range (include "tickline.secretReferences" (index . 1) | fromYaml).references -}}
{{- $reference := . -}}
{{- $setting := .setting -}}
{{- $others := list $setting -}}
{{- if hasSuffix "usernameFile" $setting }}{{ $others = append $others (trimSuffix "File" $setting) }}{{ end -}}
{{- range $others -}}
{{- if ne (include "tickline.at" (list $config .)) "\"\"" }}
- {{ if eq $at "secrets" -}}
secrets.{{ $reference.at }} gives what config.{{ . }} gives, too: keep one
{{- else -}}
in the Job of provision, secrets.{{ $reference.at }} gives what config.{{ . }} gives, too: take it out there by provision.secrets.{{ $reference.at }}, {name: "", key: ""}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
