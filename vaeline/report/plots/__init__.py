"""The plots of a study: each file is a plot, and the file's name is the name of its output."""
