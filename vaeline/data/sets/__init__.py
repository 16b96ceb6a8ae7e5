"""The data sets, one file each; the name in a study is the name of the file."""
