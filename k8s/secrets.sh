#!/bin/sh
# Gives the secrets of `cargo xtask secrets` to the cluster that kubectl speaks to; safe to run again.
#
#   sh k8s/secrets.sh [FOLDER] [NAMESPACE]
set -eu

folder=${1:-secrets}
namespace=${2:-taskledger}
[ -d "$folder" ] || { echo "there is no folder $folder: run \`cargo xtask secrets\`" >&2; exit 1; }
for secret in "$folder"/*/; do
    name=$(basename "$secret")
    kubectl --namespace "$namespace" create secret generic "$name" --from-file="$secret" \
        --dry-run=client --output=yaml |
        kubectl apply --filename=-
done
