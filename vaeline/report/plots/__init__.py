"""The plots of a study: each file is a plot, and the file's name is the name of its output.

To add a plot, write its file here, its caption in `workflow/report/<name>.rst`, and its outputs in `workflow/rules/report.smk` and
`dvc.yaml`. `shared/contract.py` says what the file defines.
"""
