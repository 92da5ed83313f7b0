{{/* What all pods of the chart have in common: ingestors, provision, tests. */}}
{{- define "tickline.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ toYaml . }}
{{- end }}
{{- with .Values.schedulerName }}
schedulerName: {{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tickline.container" -}}
image: {{ include "tickline.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A probe: (list "startupProbe" values path port). */}}
{{- define "tickline.probe" -}}
{{- $values := index . 1 -}}
{{- if $values.enabled -}}
{{ index . 0 }}:
  httpGet:
    path: {{ index . 2 }}
    port: {{ index . 3 }}
  {{- toYaml (omit $values "enabled") | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The pod of a shard, from metadata on: (list root index), index "" in the StatefulSet. */}}
{{- define "tickline.podTemplate" -}}
{{- $root := index . 0 -}}
{{- $shard := index . 1 -}}
{{- $own := dict -}}
{{- if ne $shard "" }}{{ $own = get $root.Values.shards.overrides $shard | default dict }}{{ end -}}
{{- $resources := mergeOverwrite (deepCopy ($root.Values.resources | default dict)) ($own.resources | default dict) -}}
{{- $references := (include "tickline.secretReferences" $root.Values.secrets | fromYaml).references -}}
{{- with $root -}}
metadata:
  labels:
    {{- $labels := include "tickline.podLabels" (list . "ingestor") | fromYaml }}
    {{- if ne $shard "" }}{{ $_ := set $labels "tickline.io/shard" $shard }}{{ end }}
    {{- toYaml (merge $labels ($own.podLabels | default dict) .Values.podLabels) | nindent 4 }}
  annotations:
    {{- $annotations := mergeOverwrite (dict "kubectl.kubernetes.io/default-container" "ingestor") .Values.podAnnotations ($own.podAnnotations | default dict) }}
    {{- $_ := set $annotations "checksum/config" (include "tickline.configData" . | sha256sum) }}
    {{- toYaml $annotations | nindent 4 }}
spec:
  {{- include "tickline.podBasics" . | nindent 2 }}
  serviceAccountName: {{ include "tickline.serviceAccountName" . | toYaml }}
  terminationGracePeriodSeconds: {{ include "tickline.gracePeriod" . }}
  {{- with $own.priorityClassName | default .Values.priorityClassName }}
  priorityClassName: {{ toYaml . }}
  {{- end }}
  {{- with $own.nodeSelector | default .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.tolerations | default .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "tickline.affinity" (list . ($own.affinity | default .Values.affinity) $shard) }}
  affinity:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    {{- $constraint := deepCopy . }}
    {{- if not .labelSelector }}{{ $_ := set $constraint "labelSelector" (dict "matchLabels" (include "tickline.selector" (list $root "ingestor") | fromYaml)) }}{{ end }}
    - {{ toYaml $constraint | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  {{- if or .Values.extraInitContainers (eq .Values.sidecar.kind "native") }}
  initContainers:
    {{- with .Values.extraInitContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if eq .Values.sidecar.kind "native" }}
    - {{ include "tickline.sidecar" . | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  containers:
    - name: ingestor
      {{- include "tickline.container" . | nindent 6 }}
      command: [node, services/ingestor/main.js]
      args: [run]
      env:
        - name: TICKLINE_CONFIG
          value: /etc/tickline/config
        - name: TICKLINE_SHARD_INDEX
          {{- if ne $shard "" }}
          value: {{ $shard | quote }}
          {{- else }}
          valueFrom:
            fieldRef:
              fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
          {{- end }}
        {{- with include "tickline.nodeOptions" (list . $resources) }}
        - name: NODE_OPTIONS
          value: {{ . }}
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: metrics
          containerPort: {{ int .Values.config.metrics.port }}
        {{- if .Values.config.grpc.enabled }}
        - name: grpc
          containerPort: {{ int .Values.config.grpc.port }}
        {{- end }}
      {{- with include "tickline.probe" (list "startupProbe" .Values.probes.startup "/livez" "metrics") }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with include "tickline.probe" (list "livenessProbe" .Values.probes.liveness "/livez" "metrics") }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with include "tickline.probe" (list "readinessProbe" .Values.probes.readiness "/readyz" "metrics") }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with $resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: config
          mountPath: /etc/tickline/config
          readOnly: true
        {{- if $references }}
        - name: secrets
          mountPath: /etc/tickline/secrets
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- if ne .Values.sidecar.kind "native" }}
    - {{ include "tickline.sidecar" . | nindent 6 | trim }}
    {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "tickline.fullname" . | toYaml }}
    {{- with $references }}
    - {{ include "tickline.secretVolume" (list "secrets" .) | nindent 6 | trim }}
    {{- end }}
    {{- with .Values.secrets.sidecar.token }}
    {{- if .name }}
    - {{ include "tickline.secretVolume" (list "sidecar-secrets" (list (merge (dict "file" "sidecar-token") .))) | nindent 6 | trim }}
    {{- end }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/*
Affinity as given, or by podAntiAffinity: (list root given shard), shard "" in the StatefulSet. Away from other shards only:
in a rollout the new pod of a Deployment may need the node of the one it replaces.
*/}}
{{- define "tickline.affinity" -}}
{{- $root := index . 0 -}}
{{- $selector := dict "matchLabels" (include "tickline.selector" (list $root "ingestor") | fromYaml) -}}
{{- with index . 2 -}}
{{- $_ := set $selector "matchExpressions" (list (dict "key" "tickline.io/shard" "operator" "NotIn" "values" (list .))) -}}
{{- end -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" $selector -}}
{{- if index . 1 -}}
{{- toYaml (index . 1) -}}
{{- else if eq $root.Values.podAntiAffinity "soft" -}}
{{- toYaml (dict "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $term)))) -}}
{{- else if eq $root.Values.podAntiAffinity "hard" -}}
{{- toYaml (dict "podAntiAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term))) -}}
{{- end -}}
{{- end -}}

{{/* The sidecar's container. */}}
{{- define "tickline.sidecar" -}}
name: sidecar
{{ include "tickline.container" . }}
{{- if eq .Values.sidecar.kind "native" }}
restartPolicy: Always
{{- end }}
command: [node, services/sidecar/main.js]
args: [run]
env:
  - name: TICKLINE_SIDECAR_INGESTOR_URL
    value: http://127.0.0.1:{{ int .Values.config.status.port }}/status
  - name: TICKLINE_SIDECAR_INGESTOR_POLL_MS
    value: {{ int .Values.sidecar.pollMs | quote }}
  - name: TICKLINE_SIDECAR_INGESTOR_TIMEOUT_MS
    value: {{ int .Values.sidecar.timeoutMs | quote }}
  - name: TICKLINE_SIDECAR_LISTEN_HOST
    value: {{ .Values.listenAddress | quote }}
  - name: TICKLINE_SIDECAR_LISTEN_PORT
    value: {{ int .Values.sidecar.port | quote }}
  - name: TICKLINE_SIDECAR_LOG_LEVEL
    value: {{ .Values.sidecar.logLevel }}
  {{- if .Values.sidecar.fleet }}
  - name: TICKLINE_SIDECAR_PEERS_HOST
    value: {{ include "tickline.serviceHost" (list . (include "tickline.podsService" .)) }}
  - name: TICKLINE_SIDECAR_PEERS_PORT
    value: {{ int .Values.sidecar.port | quote }}
  {{- end }}
  {{- if .Values.secrets.sidecar.token.name }}
  - name: TICKLINE_SIDECAR_AUTH_TOKEN_FILE
    value: /etc/tickline/secrets/sidecar-token
  {{- end }}
  {{- with (.Values.sidecar.resources.limits).memory }}
  - name: NODE_OPTIONS
    value: {{ printf "--max-old-space-size=%d" (divf (mulf (include "tickline.memory" . | int64) $.Values.sidecar.heapFraction) 1048576 | int64) }}
  {{- end }}
  {{- with .Values.sidecar.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: sidecar
    containerPort: {{ int .Values.sidecar.port }}
{{- with include "tickline.probe" (list "startupProbe" .Values.probes.sidecarStartup "/healthz" "sidecar") }}
{{ . }}
{{- end }}
{{- with include "tickline.probe" (list "livenessProbe" .Values.probes.sidecarLiveness "/healthz" "sidecar") }}
{{ . }}
{{- end }}
{{- with .Values.sidecar.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.secrets.sidecar.token.name }}
volumeMounts:
  - name: sidecar-secrets
    mountPath: /etc/tickline/secrets
    readOnly: true
{{- end }}
{{- end -}}
