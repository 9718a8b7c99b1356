#!/bin/sh
# Makes the model that ships again: sh training/shipped-model.sh CORPORA OUT
#
# CORPORA holds the public corpora that the model card names: pmc/, pubmed/, sumpubmed/, radiology/ and mtsamples/, and
# in mustknow/ the marks of the notes. One encoder, two heads: first that for articles, then that for notes, which goes
# on with layers of its own. A run that was stopped goes on.
set -eu
corpora=$1
out=$2
clinsum=${CLINSUM:-clinsum}
mkdir -p "$out/labels"

# What each article states of itself; articles under other terms are left out.
open='creativecommons\.org/(licenses/by/|publicdomain|licenses/publicdomain)|creativeCommonsBy\b|creativeCommonsZero|CC0'
data=
pmc() {
    for name in "$@"; do
        "$clinsum" label "$corpora/pmc/$name.jsonl.xz" "$out/labels/$name.jsonl" --metric rouge2 --licence "$open" \
            --held-out "$corpora/pubmed/development.jsonl"
        data="$data --data $out/labels/$name.jsonl"
    done
}
pmc train-trials-0 train-crops-0 train-crops-1 train-other
"$clinsum" label "$corpora/pubmed/more.jsonl" "$out/labels/more.jsonl" --held-out "$corpora/pubmed/development.jsonl"
data="$data --data $out/labels/more.jsonl"
pmc train-trials-1 train-crops-2 train-crops-3
# Some of the benchmark's form of text.
xz -dc "$corpora/sumpubmed/train-0.jsonl.xz" | head -n 1004 > "$out/sumpubmed-train.jsonl"
"$clinsum" label "$out/sumpubmed-train.jsonl" "$out/labels/sumpubmed.jsonl" --metric rouge2 \
    --held-out "$corpora/sumpubmed/validation.jsonl.xz"
data="$data --data $out/labels/sumpubmed.jsonl"

# Notes and reports: a fifth is held out for the figures of the README.
"$clinsum" hold-out "$corpora/radiology/indiana.jsonl.xz" "$out/radiology-train.jsonl" "$out/radiology-test.jsonl"
"$clinsum" hold-out "$corpora/mtsamples/notes.jsonl.xz" "$out/mtsamples-train.jsonl" "$out/mtsamples-test.jsonl"
for pair in radiology:conclusions radiology:conclusions-moved radiology:radiology \
    mtsamples:conclusions mtsamples:conclusions-moved mtsamples:mtsamples; do
    notes=${pair%%:*}
    schema=${pair##*:}
    "$clinsum" label "$out/$notes-train.jsonl" "$out/labels/$notes-$schema.jsonl" --schema "$schema"
    data="$data --data $out/labels/$notes-$schema.jsonl"
done

# The first hundred articles choose the epoch and the calibration; the others report.
head -n 100 "$corpora/pubmed/development.jsonl" > "$out/choose.jsonl"
tail -n 100 "$corpora/pubmed/development.jsonl" > "$out/report.jsonl"
"$clinsum" label "$out/choose.jsonl" "$out/labels/choose.jsonl"
begun() {
    if [ -e "$out/$1/training.jsonl" ]; then echo --resume; fi
}
# shellcheck disable=SC2086  # $data is many words
"$clinsum" train $data --validation "$out/labels/choose.jsonl" --encoder all-MiniLM-L6-v2 --head transformer \
    --freeze encoder --precision bf16 --epochs 4 --patience 0 --lr 8e-4 --batch-sentences 2000 \
    --calibrate-features 3 \
    --licence Apache-2.0 --out "$out/articles" $(begun articles)

# The head for notes: what a reader marked in the notes, as they are and once more with letterhead and signature; reports
# and articles, so that it knows these too. A third of the marked notes is never touched; the choosing ones fit the
# scores and the length.
marked() {
    "$clinsum" label "$corpora/mustknow/notes.jsonl" "$1" --schema mustknow --notes "$corpora/mtsamples/notes.jsonl.xz" \
        --part "$2" --framed "$3"
}
marked "$out/labels/mustknow.jsonl" training 1
marked "$out/labels/mustknow-choosing.jsonl" choosing 0
head -n 200 "$out/radiology-train.jsonl" > "$out/radiology-few.jsonl"
data="--data $out/labels/mustknow.jsonl --data $out/labels/more.jsonl"
for schema in conclusions conclusions-moved; do
    "$clinsum" label "$out/radiology-few.jsonl" "$out/labels/radiology-few-$schema.jsonl" --schema $schema
    data="$data --data $out/labels/radiology-few-$schema.jsonl"
done
# shellcheck disable=SC2086  # $data is many words
"$clinsum" train $data --validation "$out/labels/mustknow-choosing.jsonl" --encoder all-MiniLM-L6-v2 \
    --head transformer --pooling mean --depth 3 --width 112 --inner 224 --dropout 0.2 --members 3 --compact \
    --freeze encoder --precision fp32 --epochs 12 --patience 0 --lr 1.2e-3 --batch-sentences 1500 \
    --section-dropout 0.5 --words 80 --own-words 96 --licence Apache-2.0 \
    --out "$out/notes" $(begun notes)

# The three layers below it changed too (LoRA), on the marked notes as they are.
marked "$out/labels/mustknow-plain.jsonl" training 0
# shellcheck disable=SC2046  # one word or none
"$clinsum" train --data "$out/labels/mustknow-plain.jsonl" --validation "$out/labels/mustknow-choosing.jsonl" \
    --encoder "$out/notes" --head transformer --pooling mean --depth 3 --width 112 --inner 224 --dropout 0.2 --members 3 \
    --compact --freeze encoder --precision fp32 --lora 16 --lora-lr 2e-3 --encoder-lr 3e-4 --lr 4e-4 --weight-decay 0.01 \
    --epochs 2 --patience 0 --warmup 0.05 --batch-tokens 6250 --section-dropout 0.5 --words 80 --own-words 96 \
    --articles "$out/articles" --licence Apache-2.0 --out "$out/model" $(begun model)
