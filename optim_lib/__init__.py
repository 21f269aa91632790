"""The shared package of the course *Understanding Optimizers*: everything a chapter imports."""
