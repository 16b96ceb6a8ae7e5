"""Speed, measured beside what people use today; `make bench` writes docs/performance.md."""
