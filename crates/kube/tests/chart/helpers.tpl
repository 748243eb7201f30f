{{- /* Written by crates/kube/tests/chart (LASTOUT_BLESS=1): do not edit. */}}
{{- define "lastout.mode" -}}
{{- if ne .Values.mode "auto" -}}
{{ .Values.mode }}
{{- else if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
policy
{{- else -}}
webhook
{{- end -}}
{{- end -}}

{{- define "lastout.way" -}}
{{- if eq .Values.injection.mode "helper" -}}
{{ fail "injection.mode helper: a policy knows no helper containers; take mode webhook, or injection.mode wrap" }}
{{- else if eq .Values.injection.resources "inherit" -}}
{{ fail "injection.resources inherit: a policy cannot; take mode webhook, or say CPU,MEMORY" }}
{{- else if eq .Values.injection.mode "native" -}}
native
{{- else if eq .Values.injection.delivery "image-volume" -}}
image-volume
{{- else -}}
init-container
{{- end -}}
{{- end -}}

{{- define "lastout.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "lastout.arguments" -}}
{{- $given := list }}
{{- with .Values.injection }}
{{- if ne .mode "auto" }}{{ $given = append $given (printf "--mode=%s" .mode) }}{{ end }}
{{- if ne .delivery "auto" }}{{ $given = append $given (printf "--delivery=%s" .delivery) }}{{ end }}
{{- end }}
{{- $given = append $given (printf "--image=%s" .Values.image) }}
{{- $given = append $given (printf "--helper-image=%s" .Values.helperImage) }}
{{- with .Values.injection }}
{{- range .sidecars }}{{ $given = append $given (printf "--sidecar=%s" .) }}{{ end }}
{{- with .kubeVersion }}{{ $given = append $given (printf "--kube-version=%s" .) }}{{ end }}
{{- if ne .resources "20m,16Mi" }}{{ $given = append $given (printf "--resources=%s" .resources) }}{{ end }}
{{- end }}
{{- if ne (int .Values.webhook.drainTimeoutSeconds) 25 }}{{ $given = append $given (printf "--drain-timeout=%ds" (int .Values.webhook.drainTimeoutSeconds)) }}{{ end }}
{{- with .Values.certificates }}
{{- if eq .from "itself" }}
{{- if ne .lifetime "24h" }}{{ $given = append $given (printf "--certificate-lifetime=%s" .lifetime) }}{{ end }}
{{- if ne .authorityLifetime "8760h" }}{{ $given = append $given (printf "--ca-lifetime=%s" .authorityLifetime) }}{{ end }}
{{- end }}
{{- end }}
{{- range $given }}
- {{ . | replace "$" "$$" | quote }}
{{- end }}
{{- end -}}
