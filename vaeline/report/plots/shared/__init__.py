"""What several plots share; the files of this folder are not plots."""
