"""Runs an application with Ember and without, in turn, and shows what differs.

``python -m ember.compare [options] app.py [arguments]``
"""
