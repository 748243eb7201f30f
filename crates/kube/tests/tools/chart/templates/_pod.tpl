{{- define "nightly.proxy" -}}
- name: istio-proxy
  image: docker.io/istio/proxyv2:1.24.0
  args: [proxy, sidecar]
{{- end }}
