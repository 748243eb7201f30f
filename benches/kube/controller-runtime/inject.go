package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

const (
	volume, folder           = "lastout", "/.lastout"
	groupVolume, groupFolder = "lastout-group", "/.lastout-group"
)

// Containers that are sidecars, and what --sidecar is told of them.
var sidecars = map[string]string{
	"istio-proxy":     "istio",
	"cloud-sql-proxy": "cloud-sql-proxy",
	"linkerd-proxy":   "linkerd",
	"daprd":           "dapr",
	"envoy":           "envoy",
}

type injector struct {
	decoder admission.Decoder
	image   string
	status  string
}

func newInjector(image, release string) *injector {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	return &injector{decoder: admission.NewDecoder(scheme), image: image, status: "wrap " + release}
}

func (i *injector) Handle(_ context.Context, request admission.Request) admission.Response {
	pod := &corev1.Pod{}
	if err := i.decoder.Decode(request, pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	if !i.wrap(pod) {
		return admission.Allowed("no sidecar")
	}
	changed, err := json.Marshal(pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(request.Object.Raw, changed)
}

// wrap puts lastout into a pod, and says whether there was a reason to.
func (i *injector) wrap(pod *corev1.Pod) bool {
	var mains []*corev1.Container
	options := []string{folder + "/lastout"}
	for at := range pod.Spec.Containers {
		container := &pod.Spec.Containers[at]
		if spec, known := sidecars[container.Name]; known {
			options = append(options, "--sidecar", spec)
		} else {
			mains = append(mains, container)
		}
	}
	if len(options) == 1 || len(mains) == 0 {
		return false
	}
	if pod.Spec.RestartPolicy == corev1.RestartPolicyOnFailure {
		options = append(options, "--stop-on", "success")
	}
	grouped := len(mains) > 1
	for _, main := range mains {
		command := slices.Clone(options)
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: folder, ReadOnly: true})
		if grouped {
			command = append(command, "--group", groupFolder, "--group-size", strconv.Itoa(len(mains)), "--group-name", main.Name)
			main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: groupVolume, MountPath: groupFolder})
		}
		main.Command = append(append(command, "--"), main.Command...)
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, emptyDir(volume, "16Mi"))
	if grouped {
		pod.Spec.Volumes = append(pod.Spec.Volumes, emptyDir(groupVolume, "1Mi"))
	}
	pod.Spec.InitContainers = slices.Insert(pod.Spec.InitContainers, 0, i.initContainer())
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations["lastout.dev/status"] = i.status
	return true
}

func emptyDir(name, size string) corev1.Volume {
	limit := resource.MustParse(size)
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}}
}

func (i *injector) initContainer() corev1.Container {
	yes, no := true, false
	resources := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("20m"),
		corev1.ResourceMemory: resource.MustParse("16Mi"),
	}
	return corev1.Container{
		Name:         "lastout",
		Image:        i.image,
		Args:         []string{"install", folder},
		Resources:    corev1.ResourceRequirements{Requests: resources, Limits: resources},
		VolumeMounts: []corev1.VolumeMount{{Name: volume, MountPath: folder}},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no,
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			ReadOnlyRootFilesystem:   &yes,
			RunAsNonRoot:             &yes,
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}
