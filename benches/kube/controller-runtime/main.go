// The usual admission webhook in Go, to be measured beside `kubectl-lastout webhook`: controller-runtime's server, a typed
// pod, PatchResponseFromRaw. It does what the wrap mode does to a pod of the benchmark, and knows nothing else.
package main

import (
	"flag"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

func main() {
	listen := flag.String("listen", ":10250", "where admissions are answered")
	admin := flag.String("admin-listen", ":8080", "where /readyz is")
	cert := flag.String("tls-cert", "tls.crt", "the certificate")
	key := flag.String("tls-key", "tls.key", "its key, in the same folder")
	image := flag.String("image", "lastout", "lastout's image")
	release := flag.String("release", "", "the version that the pod's annotation names")
	flag.Parse()
	log.SetLogger(zap.New())
	if err := serve(*listen, *admin, *cert, *key, newInjector(*image, *release)); err != nil {
		log.Log.Error(err, "it ends")
		os.Exit(1)
	}
}

func serve(listen, admin, cert, key string, handler admission.Handler) error {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	server := webhook.NewServer(webhook.Options{
		Host: host, Port: port, CertDir: filepath.Dir(cert), CertName: filepath.Base(cert), KeyName: filepath.Base(key),
	})
	server.Register("/mutate", &webhook.Admission{Handler: handler})
	// What a manager serves: ready as soon as the server's port takes a TLS connection.
	ready := &healthz.Handler{Checks: map[string]healthz.Checker{"webhook": server.StartedChecker()}}
	listener, err := net.Listen("tcp", admin)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/readyz", http.StripPrefix("/readyz", ready))
	go http.Serve(listener, mux)
	return server.Start(signals.SetupSignalHandler())
}
