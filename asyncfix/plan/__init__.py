"""What could be done, and what may not be: the project's facts judged against each site's conditions."""
