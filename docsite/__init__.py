"""What turns docs/ into a site: links out of the folder, and reference tables that are made from the code."""
