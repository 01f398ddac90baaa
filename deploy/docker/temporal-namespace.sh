#!/bin/sh
# Creates the namespace Alfred works in. Safe to repeat. TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are read by the CLI.
set -eu

temporal operator cluster health
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
