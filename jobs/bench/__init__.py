"""The figures in the README, made again on this machine; never pass or fail."""
