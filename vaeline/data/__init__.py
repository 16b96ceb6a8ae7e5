"""Data sets, from files to batches: reading, labels, decoding, preprocessing, the HDF5 store, augmentation."""
