// Definitions of KEDA and the Prometheus Operator, for `cargo xtask k8s check`: nothing is compiled.
module taskledger/tools/manifests

go 1.24

require (
	github.com/kedacore/keda/v2 v2.20.2
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
