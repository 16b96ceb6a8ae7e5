"""The explorer: a local page on which a person plays with a study's trained models.

`runs` finds them, `settings` is what can be chosen, `drawing` makes pictures of it and `saved` keeps these; none of the four knows of a
page. `page` shows them, with `side`, `labels` and `latents` for its parts and `controls` for what these are built of; `serving` serves it.
"""
