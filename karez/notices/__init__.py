"""Documents attached to anything, by kind and id. Public notices and grievances will live here too."""
