"""Code that draws the template pictures in `facekit/assets/templates`."""
