"""The parts of clinical sentence segmentation: layout first, then punctuation inside a block."""
