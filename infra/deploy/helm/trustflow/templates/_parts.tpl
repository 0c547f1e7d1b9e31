{{/* What is the same for every process: who it is, where the broker and its database are. */}}
{{- define "trustflow.environment" -}}
- {name: TRUSTFLOW_HTTP_HOST, value: "0.0.0.0"}
- {name: TRUSTFLOW_HTTP_PORT, value: "8080"}
- {name: TRUSTFLOW_KAFKA_BOOTSTRAP, value: {{ required "kafka.bootstrap: host:port of the organisation's broker" .Values.kafka.bootstrap | quote }}}
- {name: TRUSTFLOW_KAFKA_PASSWORD_FILE, value: /secrets/kafka-password}
{{- if .Values.kafka.caConfigMap }}
- {name: TRUSTFLOW_KAFKA_CA_FILE, value: /kafka-ca/ca.crt}
{{- end }}
- name: TRUSTFLOW_MEMBER
  valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}
{{- end }}

{{- define "trustflow.objects" -}}
- {name: TRUSTFLOW_OBJECTS_URL, value: {{ required "objects.url: the address of the object lane" .Values.objects.url | quote }}}
- {name: TRUSTFLOW_OBJECTS_SECRET_FILE, value: /objects/secret}
{{- end }}

{{- define "trustflow.pod" -}}
automountServiceAccountToken: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "trustflow.container" -}}
image: {{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
ports: [{name: http, containerPort: 8080}]
startupProbe: {httpGet: {path: /health, port: http}, periodSeconds: 2, failureThreshold: 60}
readinessProbe: {httpGet: {path: /health, port: http}, periodSeconds: 10, timeoutSeconds: 5}
# /metrics answers as long as the process turns: a broker that is away is no reason to restart.
livenessProbe: {httpGet: {path: /metrics, port: http}, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 6}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
  {{- with .seccompProfile }}
  seccompProfile: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "trustflow.mounts" -}}
- {name: secrets, mountPath: /secrets, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.kafka.caConfigMap }}
- {name: kafka-ca, mountPath: /kafka-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "trustflow.volumes" -}}
- {name: tmp, emptyDir: {}}
{{- if .Values.kafka.caConfigMap }}
- {name: kafka-ca, configMap: {name: {{ .Values.kafka.caConfigMap }}}}
{{- end }}
{{- end }}
