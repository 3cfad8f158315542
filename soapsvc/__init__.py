"""Serve TensorFlow and Keras models to enterprise clients as typed SOAP web services."""

__version__ = "0.1.0"
