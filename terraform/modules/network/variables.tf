variable "name" {
  description = "What the network and its parts are called."
  type        = string
}

variable "region" {
  description = "The region, for the names of endpoint services."
  type        = string
}

variable "cidr" {
  description = "The network's addresses; a /16, of which every subnet takes a /24."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "cidr must be an IPv4 /16, such as 10.40.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones, one public and one private subnet in each."
  type        = list(string)
}

variable "interface_endpoints" {
  description = "AWS services that answer inside the network, by the last part of their endpoint's name, such as kinesis-streams."
  type        = set(string)
}

variable "nat" {
  description = "Whether the private subnets have a way out, through a NAT gateway."
  type        = bool
}
