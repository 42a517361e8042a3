# What stands in many texts.

name-with-profile = { $title }, profile { $profile }
whom-operator = the operator
