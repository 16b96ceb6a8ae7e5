"""A trained run: its folder and files, its model, what it draws, and the public class TrainedRun."""
