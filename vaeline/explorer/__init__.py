"""The explorer: a local page on which a person tries a study's trained models.

`runs` finds the trained runs. `settings` declares what a person can choose, which `address` writes as the query of an address and `words` as
sentences. `drawing` turns settings into pictures, with `latent_moves` for sliders, and `saved` keeps pictures on disk. These modules know nothing of
the page. `page` is the page; `run_panel`, `labels` and `latents` are its panels, and `controls` has the HTML elements they are made of.
`serving` serves the page.
"""
