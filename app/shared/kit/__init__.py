"""Small mechanisms that every part of the programs may use: pure, without database, Discord or network."""
