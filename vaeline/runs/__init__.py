"""A trained run on disk: its folder and files, its model, its samples, and the public TrainedRun."""
