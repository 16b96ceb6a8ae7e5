"""The data sets, one file each. The name of a data set in a study is the name of its file."""
