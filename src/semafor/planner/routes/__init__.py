"""What routes say, from VirtualService and its like to the routes of the plan."""
