# The one rule that conftest is given: a plain sidecar beside the main of a Job or CronJob.
package main

import rego.v1

sidecars := {"istio-proxy", "cloud-sql-proxy", "linkerd-proxy", "daprd", "envoy"}

pod := input.spec.template.spec if input.kind == "Job"

pod := input.spec.jobTemplate.spec.template.spec if input.kind == "CronJob"

deny contains message if {
	some container in pod.containers
	container.name in sidecars
	message := sprintf("%s %s: %s runs on when the main is over", [input.kind, input.metadata.name, container.name])
}
