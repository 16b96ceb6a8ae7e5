"""The Fréchet distance and the Inception activations of pytorch-fid; its command also reads PNG files."""

import tempfile
from pathlib import Path
from unittest.mock import patch

from benchmarks.side import Work
from benchmarks.work import FRECHET, INCEPTION, faces, gaussians, inception_file


def distance() -> Work:
    """Compute the Fréchet distance of two Gaussians."""
    import numpy as np
    from pytorch_fid.fid_score import calculate_frechet_distance

    (mean, covariance), (other_mean, other_covariance) = gaussians(np)

    def work() -> float:
        calculate_frechet_distance(mean, covariance, other_mean, other_covariance)
        return FRECHET["distances"]

    return work


def activations() -> Work:
    """Extract Inception activations of PNG files."""
    import torch
    from PIL import Image
    from pytorch_fid import inception
    from pytorch_fid.fid_score import get_activations

    folder = Path(tempfile.mkdtemp())
    weights = torch.load(inception_file(torch, folder), weights_only=True)
    with patch.object(inception, "load_state_dict_from_url", lambda *_, **__: weights):
        network = inception.InceptionV3([3]).eval()
    files = []
    for row, image in enumerate(faces(torch, **INCEPTION)):
        files.append(folder / f"{row}.png")
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(files[-1])

    def work() -> float:
        get_activations(files, network, batch_size=len(files), num_workers=0)
        return len(files)

    return work
