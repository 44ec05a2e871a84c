// Definitions of the Prometheus Operator, for `cargo xtask k8s check`: nothing is compiled.
module taskledger/tools/manifests

go 1.24

require (
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
