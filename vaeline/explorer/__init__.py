"""The explorer: a local page on which a person tries a study's trained models.

`runs` finds the trained runs, `settings` declares what a person can choose, `drawing` turns settings into pictures, and `saved` keeps pictures
on disk. These four modules know nothing of the page. `page` is the page; `side`, `labels` and `latents` are its panels, and `controls` has
the HTML elements they are made of. `serving` serves the page.
"""
