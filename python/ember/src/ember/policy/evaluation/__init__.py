"""The evaluation: what is measured, compared and attacked, a file for each part."""
