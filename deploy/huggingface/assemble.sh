#!/bin/sh
# Puts the Space's repository together: the committed project, with the Space's README and Dockerfile at its head.
# Usage: deploy/huggingface/assemble.sh FOLDER
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
git archive HEAD constraints.txt pyproject.toml LICENSE fhir_adapter jobs summarizer training | tar -x -C "$target"
cp deploy/huggingface/README.md deploy/huggingface/Dockerfile "$target/"
