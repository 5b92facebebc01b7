"""The service: accounts, consent, jobs and rights around facekit, over HTTP.

One folder per domain, each with the same four files:

- ``schemas``: what comes in and goes out (pydantic);
- ``store``: what is held, every column with its class of data (SQLAlchemy);
- ``service``: what is done, in transactions of its own; knows no HTTP;
- ``routes``: the way in, with who may come.

`app.build` puts everything together, and is the only place that does. Arrows point down: app > routes >
service > store; what all domains share stands beside their folders.
"""
