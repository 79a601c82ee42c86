"""What the Standard says of attributes: dictionary, value rules, enumerated values, levels, body parts."""
