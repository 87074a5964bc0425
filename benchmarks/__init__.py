"""What `bluelamp bench` runs: each figure beside a peer's or a physical limit's, taken in the same run."""
